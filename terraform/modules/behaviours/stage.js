// Viewer request: a WebSocket API knows its stage and no other path, and learns here which host the browser meant:
// its Origin is compared with that, and whatever the browser itself sent under the name is replaced.
function handler(event) {
  var request = event.request;
  request.headers['${host_header}'] = { value: request.headers.host.value };
  request.uri = '/${stage}';
  return request;
}
