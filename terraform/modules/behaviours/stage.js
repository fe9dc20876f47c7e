// Viewer request: a WebSocket API knows its stage and no other path.
function handler(event) {
  var request = event.request;
  request.uri = '/${stage}';
  return request;
}
