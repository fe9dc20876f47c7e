// Viewer request: nothing is here, whatever lies behind.
function handler(event) {
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: {
      'cache-control': { value: 'no-store' },
      'content-type': { value: 'application/problem+json' },
    },
    body: '{"type":"urn:foyer:problem:unknown-route","title":"There is nothing here","status":404}',
  };
}
