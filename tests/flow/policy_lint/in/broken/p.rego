package main

p := q
