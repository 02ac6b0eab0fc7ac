"""GOAL2K (GOAL, section 4.1) as a pipeline: objects, templates, captions, pictures, boxes, checks, release.

Every stage reads the files of the stages before it and writes one of its own, so any of them can be run
again, read by eye or replaced. The offline default builds the set out of the storybook.
"""
