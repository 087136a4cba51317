"""The verbs of each noun of the command line: names, options and help texts, one module a noun.

Nothing is done here and nothing heavy is imported: each verb imports the module that does its work.
"""
