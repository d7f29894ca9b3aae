export * from 'stead:host/facts@0.1.0';
