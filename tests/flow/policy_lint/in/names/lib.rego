package lib

violations contains "x"
