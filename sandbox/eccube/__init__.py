"""EC-CUBE's shop: people, orders, goods, tokens."""
