"""Engines: requests in, generations out, out of order. The llama.cpp engine lives in a process of its own.

The parent's side: protocol (the types), llama (start, Ctrl-C), outstanding (what a crash means), diagnosis (what a dead
engine's log says), width (the cached calibration), replay (recorded answers). The engine's process: worker (its loop), binding
(llama.cpp), scheduler (continuous batching), prefixes, lane, watch (when an answer is complete), speculate. Between them: wire.
"""
