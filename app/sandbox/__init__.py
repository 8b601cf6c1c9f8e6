"""Stand-ins of the outside that speak the real protocol. They import nothing of the product, nor it them."""
