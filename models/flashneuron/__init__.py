"""FlashNeuron: training whose saved tensors go to an SSD and come back in time."""
