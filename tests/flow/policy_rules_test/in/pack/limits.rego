package limits

test_data_is_data if data.data.limits.most == 3
