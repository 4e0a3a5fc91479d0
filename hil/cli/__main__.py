"""``python -m hil.cli`` is ``hil``."""

from hil.cli import main

if __name__ == "__main__":
    main()
