"""What runs inside the sandbox. Imported by the fork server only, before any layer is applied; nothing is imported later.

Modules here avoid heavy imports: every page that the fork server touches is paid for at each fork.
"""
