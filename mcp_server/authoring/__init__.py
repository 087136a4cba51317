"""What a plugin's author does with it: begin, look, check, build, try, measure.

It loads a plugin into the real runtime as a server would, with a temporary home, and says what it finds. It is no part
of a server, grants nothing outside that home, and prints nothing: the command line does.
"""
