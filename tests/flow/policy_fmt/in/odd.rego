package e

p { internal.member_2(1, [1]) }
