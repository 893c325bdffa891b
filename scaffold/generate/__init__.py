"""Makes a project of an exported tree of the template: parts left out, names changed.

It needs the standard library only, for it runs under the Python of the user's cookiecutter.
"""
