"""What the tests start and look at: a network of their own, the real daemon in it, clients, and /proc."""
