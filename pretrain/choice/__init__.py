"""Which encoder a quickstart begins with, chosen before any training by what it would cost."""
