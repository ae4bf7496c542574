"""Long work as data: tasks with do and undo, written down before they run.

Takes in plans from rooms; hands each ready task to its handler, once, whatever dies.
"""
