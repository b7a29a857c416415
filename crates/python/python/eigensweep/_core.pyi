"""What is compiled."""

__version__: str
