/** An error as the only event of a stream. */
export const STREAMED_ERROR = 'data: {"error":{"message":"no","type":"InternalServerError","code":500}}\n\n';
