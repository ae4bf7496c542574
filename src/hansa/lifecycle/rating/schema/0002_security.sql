-- What was rated is ours; others see it as lines of their bills.

call hansa_isolate('rating_holding', 'rating_period', 'rating_line');
