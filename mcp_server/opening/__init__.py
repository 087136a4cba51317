"""The first answers of a server on pipes, given before anything heavy is imported: what was answered last time, again.

The front (:mod:`.front`) knows no protocol, no setting and no plugin. It repeats an answer that the server gave to the
same words in the same state, as long as every file that the answer rests on is what it was; everything else, and every
byte from there on, is the server's, which is then started in the same process. Only the standard library is imported
here, and of it what starts quickly. docs/lane.md has the rules.
"""
