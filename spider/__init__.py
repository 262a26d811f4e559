"""The ground floor: vocabulary, corpus, encoders, artifacts, launching.

Imports no other package of the house.
"""
