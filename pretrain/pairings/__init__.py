"""Pairings: where a query and its positive and negative passages come from, without labels."""
