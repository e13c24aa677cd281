"""A live stream of the lab network as a source: counts or spikes, with kinematics, targets and events."""
