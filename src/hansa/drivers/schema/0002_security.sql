-- Our own network is ours alone; whoever buys of it asks the node, which asks in its own name.

call hansa_isolate('driver_product', 'driver_coverage', 'driver_quote', 'driver_order',
                   'driver_service', 'driver_line');
