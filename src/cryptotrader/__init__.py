"""cryptotrader: one self-hosted server between your programs and crypto exchanges."""

__version__ = "0.1.0"

__all__ = ["__version__"]
