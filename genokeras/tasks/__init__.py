"""What is predicted, and how good an answer is. Nothing is imported here: objectives are read without Keras."""
