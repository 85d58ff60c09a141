"""A city of billboards: travellers in a hurry, and locals of whom some are paid to send them past the advertising."""
