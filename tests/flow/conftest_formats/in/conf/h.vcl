backend b { .port = "80"; }
