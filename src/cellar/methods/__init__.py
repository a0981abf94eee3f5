"""Distillation and other training methods: loss, sampler, evaluation."""
