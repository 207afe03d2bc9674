/** What is wrong with a request, as the status that answers it and a sentence for its sender. */
export interface RequestFault {
  readonly status: number;
  readonly text: string;
}

export const reasonPhrases: Readonly<Record<number, string>> = {
  200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status", 304: "Not Modified",
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
  406: "Not Acceptable", 408: "Request Timeout", 411: "Length Required", 412: "Precondition Failed",
  413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 417: "Expectation Failed",
  422: "Unprocessable Content", 428: "Precondition Required", 429: "Too Many Requests",
  431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
  503: "Service Unavailable", 505: "HTTP Version Not Supported", 507: "Insufficient Storage",
};

export function fault(status: number, text: string): RequestFault {
  return { status, text };
}
