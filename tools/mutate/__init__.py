"""Mutation of the shipped sheets: does anybody notice when one behaving value changes?"""
