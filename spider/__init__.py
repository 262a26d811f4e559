"""The shared base: text, corpus, encoders, artifacts, launching.

It imports none of the other packages.
"""
