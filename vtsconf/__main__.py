"""`python -m vtsconf` is the `vtsconf` command."""

from vtsconf.cli.main import main

main()
