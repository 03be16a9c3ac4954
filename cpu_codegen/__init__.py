"""Which code model should I run on this machine, and what will it cost me?"""

__version__ = "0.1.0"
