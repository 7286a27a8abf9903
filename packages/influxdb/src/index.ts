/** `@storeweave/influxdb`. */
export {};
