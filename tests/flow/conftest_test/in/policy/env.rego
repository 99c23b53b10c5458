package env.dev

deny contains "no debug" if input.DEBUG == "1"
