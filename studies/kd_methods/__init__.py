"""30 methods of distillation on CIFAR-100, pair by pair, by one recipe."""
