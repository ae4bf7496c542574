-- Who is let in is looked up by the node, before a request is anybody's.
call hansa_isolate('client');
