"""``python -m cryptotrader`` is the same as the ``cryptotrader`` command."""

from cryptotrader.cli.app import main

if __name__ == "__main__":
    main()
