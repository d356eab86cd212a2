/** Says in one line why a peer does not take part. */
export class NotAvailableError extends Error {}
