"""Matching: does a passage contain an answer, and at which rank?"""
