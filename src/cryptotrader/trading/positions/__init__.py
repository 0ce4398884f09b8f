"""Positions of an account, kept from its fills: rebuilt, followed, reconciled, protected (S1-13, S1-14, C-27)."""
