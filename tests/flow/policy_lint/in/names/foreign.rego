package their.tool

# another program may ask for just that
violations contains "z" if input.z

denials contains "z" if input.z
