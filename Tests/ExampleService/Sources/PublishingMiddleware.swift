import Hummingbird
import TracingContext

/// Shows profilers and tracers, this process's own and others, which span each thread is at work on: that of
/// the request that the middleware of Hummingbird began.
struct PublishingMiddleware<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    try await withPublishedSpan { try await next(request, context) }
  }
}
