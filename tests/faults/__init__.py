"""The harness of faults: a real writer, real rotations, and a follower that is killed while it is scraped."""
