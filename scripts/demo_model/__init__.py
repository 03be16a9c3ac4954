"""How the packaged demo model is made: corpus → network → training → GGUF. See docs/demo-model.md."""
