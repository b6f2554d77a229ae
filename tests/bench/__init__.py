"""How fast opsconsole is, beside other ways to do the same: `make bench`. It prints, and asserts nothing."""
