"""The selective scan of Mamba-1: the recurrence over time, with what is fused around it."""
