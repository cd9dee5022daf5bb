"""`python -m kosmo_lua` is the command `kosmo`."""

from kosmo_lua.cli import main

if __name__ == "__main__":
    main()
