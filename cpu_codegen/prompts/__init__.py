"""(Problem, style) → Prompt: the texts are versioned data files under `texts/`, rendered through the model's own chat template."""
