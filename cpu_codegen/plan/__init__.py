"""What a model would cost on this machine before it is downloaded: disk, RAM, speed, hours; and whether it fits."""
