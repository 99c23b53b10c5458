password = "s3cret
