"""APIs of other systems, as translations to and from the jobs of this one."""
